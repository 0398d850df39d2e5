---Options: the table `defaults` below is their documentation.
---
---Give them as `vim.g.truepenny = { … }` or to `require('truepenny').setup { … }`; the latter wins.
local M = {}

---@class truepenny.Config
M.defaults = {
  ---Start the language server by itself.  With false: `vim.lsp.enable('truepenny')`.
  ---@type boolean
  autostart = true,
  ---How to start the server.  Only your own configuration decides this, never a workspace.
  ---@type string[]
  cmd = { 'truepenny', 'serve' },
  ---Where suggestions are wanted.
  ---@type string[]
  filetypes = {
    'bash', 'c', 'cpp', 'cs', 'css', 'go', 'html', 'java', 'javascript', 'javascriptreact', 'kotlin',
    'lua', 'php', 'python', 'ruby', 'rust', 'scala', 'sh', 'sql', 'swift', 'typescript',
    'typescriptreact', 'vim', 'zig',
  },
  ---What marks the top of a workspace.
  ---@type string[]
  root_markers = { '.git', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' },
  ---Sent to the server as it is: `engine`, `completion`, `chat`, `guard` (see the main README).
  ---@type table
  settings = {},
  ---@class truepenny.InlineConfig
  inline = {
    ---Show suggestions as ghost text.
    ---@type boolean
    enabled = true,
    ---Use `vim.lsp.inline_completion` where Neovim has it (0.12); otherwise our own ghost text.
    ---@type boolean
    native = true,
    ---How long typing must pause before our own ghost text asks, in milliseconds.
    ---@type integer
    debounce_ms = 75,
  },
}

---@type table|nil What `setup()` was given.
local given

---Options the user gave that do not exist or have the wrong type, each with its fix.
---@param options any
---@param defaults table
---@param prefix string
---@param problems string[]
local function check(options, defaults, prefix, problems)
  for key, value in vim.spairs(options) do
    local name, default = prefix .. tostring(key), defaults[key]
    if default == nil then
      local known = table.concat(vim.fn.sort(vim.tbl_keys(defaults)), ', ')
      table.insert(problems, ('%s = %s: no such option; there are %s'):format(name, vim.inspect(value), known))
    elseif type(value) ~= type(default) then
      table.insert(problems, ('%s = %s: use a %s'):format(name, vim.inspect(value), type(default)))
    elseif key == 'inline' then
      check(value, default, name .. '.', problems)
    end
  end
end

---@return table options As the user gave them.
local function user_options()
  local global = vim.g.truepenny
  return vim.tbl_deep_extend('force', type(global) == 'table' and global or {}, given or {})
end

---@param options table|nil
function M.set(options)
  given = options or {}
end

---@return string[] problems In words a person can act on.
function M.problems()
  local problems = {} ---@type string[]
  if vim.g.truepenny ~= nil and type(vim.g.truepenny) ~= 'table' then
    table.insert(problems, ('vim.g.truepenny = %s: use a table'):format(vim.inspect(vim.g.truepenny)))
  end
  check(user_options(), M.defaults, '', problems)
  return problems
end

---The options in force.  What has the wrong type stays at its default; `problems()` names it.
---@return truepenny.Config
function M.get()
  local options = vim.deepcopy(M.defaults)
  for key, value in pairs(user_options()) do
    if type(value) == type(M.defaults[key]) then
      if key == 'inline' then
        for name, inner in pairs(value) do
          if type(inner) == type(M.defaults.inline[name]) then
            options.inline[name] = inner
          end
        end
      else
        options[key] = value
      end
    end
  end
  return options
end

---@return vim.lsp.Config
function M.lsp()
  local options = M.get()
  -- Neovim 0.11 does not announce what it does not draw itself; we draw it.
  local capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } }
  return {
    cmd = options.cmd,
    -- A project that exports PYTHONPATH=. must not have its own modules imported in place of ours.
    cmd_env = { PYTHONPATH = '' },
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    -- An empty Lua table would travel as a list.
    init_options = next(options.settings) and options.settings or vim.empty_dict(),
    settings = { truepenny = next(options.settings) and options.settings or vim.empty_dict() },
    capabilities = capabilities,
    handlers = {
      didChangeStatus = function(_, status)
        require('truepenny').on_status(status)
      end,
    },
  }
end

return M
