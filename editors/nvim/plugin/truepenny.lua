if vim.g.loaded_truepenny then
  return
end
vim.g.loaded_truepenny = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('Truepenny needs Neovim 0.11 or newer', vim.log.levels.ERROR)
  return
end

vim.keymap.set('i', '<Plug>(truepenny-accept)', function()
  require('truepenny').accept()
end, { desc = 'Accept the suggestion' })
vim.api.nvim_create_user_command('TruepennyWhy', function()
  require('truepenny').why()
end, { desc = 'Why was nothing suggested?' })

-- After the user's configuration has run: `setup()` may come later than this file.
if vim.v.vim_did_enter == 1 then
  vim.schedule(function()
    require('truepenny').start()
  end)
else
  vim.api.nvim_create_autocmd('VimEnter', {
    once = true,
    callback = function()
      require('truepenny').start()
    end,
  })
end
