---`:checkhealth truepenny`
local M = {}

local health = vim.health

local function check_neovim()
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed')
  elseif vim.lsp.inline_completion then
    health.ok('Neovim draws suggestions itself (vim.lsp.inline_completion)')
  else
    health.ok('suggestions are drawn by this plugin (Neovim 0.12 has its own)')
  end
end

---@param config truepenny.Config
local function check_options(config)
  health.start('Options')
  local problems = require('truepenny.config').problems()
  for _, problem in ipairs(problems) do
    health.warn(problem)
  end
  if #problems == 0 then
    health.ok('every option is known')
  end
  if not config.inline.enabled then
    health.info('suggestions are not shown: inline.enabled is false')
  end
  if vim.fn.maparg('<Plug>(truepenny-accept)', 'i') == '' then
    health.error('the plugin file was not loaded; is the plugin on the runtimepath?')
  elseif vim.fn.hasmapto('<Plug>(truepenny-accept)', 'i') == 0 then
    health.info("no key is mapped to <Plug>(truepenny-accept); fine if a mapping calls require('truepenny').accept()")
  else
    health.ok('a key accepts suggestions')
  end
end

---@param config truepenny.Config
local function check_server(config)
  health.start('Server')
  local command = table.concat(config.cmd, ' ')
  local path = vim.fn.exepath(config.cmd[1] or '')
  if path == '' then
    health.error(
      ('%s: not found'):format(command),
      { "pipx install 'truepenny[local]'", "or name it: vim.g.truepenny = { cmd = { '/path/to/truepenny', 'serve' } }" }
    )
    return
  end
  health.ok(('%s is %s'):format(command, path))
end

local function check_clients()
  health.start('Running')
  local clients = vim.lsp.get_clients({ name = 'truepenny' })
  if #clients == 0 then
    health.info('no server is running; open a file of one of the filetypes')
  end
  for _, client in ipairs(clients) do
    local info = client.server_info or {}
    health.ok(
      ('server %s, %d buffer(s), columns in %s'):format(
        info.version or '?',
        vim.tbl_count(client.attached_buffers),
        client.offset_encoding
      )
    )
    if not client.server_capabilities.inlineCompletionProvider then
      health.error('this server does not offer inline completion; is it an older one?')
    end
  end
  local status = require('truepenny').status()
  local message = ('%s%s: %s'):format(status.kind, status.busy and ', busy' or '', status.message)
  local say = ({ Error = health.error, Warning = health.warn })[status.kind] or health.info
  say(message)
end

function M.check()
  local config = require('truepenny.config').get()
  check_neovim()
  check_options(config)
  check_server(config)
  check_clients()
end

return M
