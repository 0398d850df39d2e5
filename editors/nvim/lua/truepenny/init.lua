---Truepenny in Neovim: start the server, show its suggestions, accept them.
local M = {}

local CLIENT = 'truepenny'

---@class truepenny.Status
---@field busy boolean
---@field kind 'Normal'|'Warning'|'Error'|'Inactive'
---@field message string
local status = { busy = false, kind = 'Inactive', message = 'not started' }

---Options; see `truepenny.config`.  Works without being called.
---@param options table|nil
function M.setup(options)
  local config = require('truepenny.config')
  config.set(options)
  if vim.lsp.is_enabled and vim.lsp.is_enabled(CLIENT) then
    vim.lsp.config(CLIENT, config.lsp())
  end
end

---Called once, after the user's configuration.
function M.start()
  local config = require('truepenny.config')
  for _, problem in ipairs(config.problems()) do
    vim.notify('Truepenny: ' .. problem, vim.log.levels.WARN)
  end
  local group = vim.api.nvim_create_augroup('truepenny', { clear = true })
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(args)
      local client = vim.lsp.get_client_by_id(args.data.client_id)
      if client and client.name == CLIENT then
        M.on_attach(client, args.buf)
      end
    end,
  })
  if config.get().autostart then
    vim.lsp.enable(CLIENT)
  end
end

---Is the suggestion in this buffer drawn by Neovim itself?
---@param bufnr integer
---@return boolean
function M.is_native(bufnr)
  -- Neovim 0.12 splits at "\n" only, and would leave a "\r" at each line's end.
  return require('truepenny.config').get().inline.native
    and vim.lsp.inline_completion ~= nil
    and vim.bo[bufnr].fileformat ~= 'dos'
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.on_attach(client, bufnr)
  if not require('truepenny.config').get().inline.enabled then
    return
  end
  if M.is_native(bufnr) then
    vim.lsp.inline_completion.enable(true, { bufnr = bufnr, client_id = client.id })
  else
    require('truepenny.inline').attach(client.id, bufnr)
  end
end

---Accept the suggestion that is shown.  May be called from an expression mapping.
---@return boolean accepted False when there is none, so that a key can fall back.
function M.accept()
  if require('truepenny.inline').accept() then
    return true
  end
  return vim.lsp.inline_completion ~= nil and vim.lsp.inline_completion.get()
end

---For a status line: the last the server said of itself.
---@return truepenny.Status
function M.status()
  return vim.deepcopy(status)
end

---@param new truepenny.Status
function M.on_status(new)
  status = { busy = new.busy, kind = new.kind, message = new.message }
  if new.kind == 'Error' then
    vim.notify_once('Truepenny: ' .. new.message, vim.log.levels.ERROR)
  end
  vim.api.nvim_exec_autocmds('User', { pattern = 'TruepennyStatus', data = M.status(), modeline = false })
end

---Say what became of the last requests about this buffer, newest first.
function M.why()
  local bufnr = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ name = CLIENT, bufnr = bufnr })[1]
  if not client then
    vim.notify('Truepenny is not attached to this buffer; see :checkhealth truepenny', vim.log.levels.WARN)
    return
  end
  local params = { textDocument = vim.lsp.util.make_text_document_params(bufnr) }
  client:request('truepenny/why', params, function(err, outcomes)
    if err then
      vim.notify('Truepenny: ' .. err.message, vim.log.levels.ERROR)
      return
    end
    local lines = {} ---@type string[]
    for _, outcome in ipairs(outcomes) do
      table.insert(lines, outcome.shown and 'shown' or ('nothing: ' .. outcome.reason))
    end
    vim.notify(#lines > 0 and table.concat(lines, '\n') or 'Truepenny: nothing was asked yet')
  end, bufnr)
end

return M
