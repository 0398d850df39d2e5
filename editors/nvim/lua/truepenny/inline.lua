---Ghost text for Neovim 0.11, which has none: ask after a pause, draw, type through, accept.
---
---A response is dropped unless it answers the last request and the buffer and cursor are as they
---were.  The newest request cancels the one before it.
local M = {}

local METHOD = 'textDocument/inlineCompletion'
local AUTOMATIC = 2
local REQUEST_CANCELLED = -32800
local namespace = vim.api.nvim_create_namespace('truepenny.inline')

---A suggestion, and the line it was made for.  Columns are bytes from 0.
---@class truepenny.Ghost
---@field text string What accepting puts between `before` and what follows.
---@field row integer
---@field before string The line up to where the text goes.
---@field after string The line after the cursor.
---@field tail integer How many bytes of `after` are replaced too.
---@field command lsp.Command|nil

---@class truepenny.BufferState
---@field client_id integer
---@field serial integer Number of the newest request.
---@field request_id integer|nil The request under way.
---@field timer uv.uv_timer_t|nil
---@field ghost truepenny.Ghost|nil

---@type table<integer, truepenny.BufferState>
local states = {}

vim.api.nvim_set_hl(0, 'TruepennyGhost', { default = true, link = 'NonText' })

---@return integer row, integer col, string line Of the cursor in the current window.
local function cursor()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, col, vim.api.nvim_get_current_line()
end

---What is left to show of a ghost, or nil when what was typed is not its beginning.
---@param ghost truepenny.Ghost
---@return string|nil
local function remainder(ghost)
  local row, col, line = cursor()
  local start = #ghost.before
  if row ~= ghost.row or col < start or line:sub(1, start) ~= ghost.before or line:sub(col + 1) ~= ghost.after then
    return nil
  end
  local typed = line:sub(start + 1, col)
  if not vim.startswith(ghost.text, typed) or #ghost.text == #typed then
    return nil
  end
  return ghost.text:sub(#typed + 1)
end

---@param bufnr integer
local function hide(bufnr)
  states[bufnr].ghost = nil
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
end

---@param bufnr integer
---@return boolean drawn
local function draw(bufnr)
  local ghost = states[bufnr].ghost
  local text = ghost and remainder(ghost)
  if not ghost or not text then
    hide(bufnr)
    return false
  end
  local lines = {} ---@type [string, string][][]
  for line in vim.gsplit(text, '\n', { plain = true }) do
    table.insert(lines, { { line, 'TruepennyGhost' } })
  end
  local row, col = cursor()
  vim.api.nvim_buf_set_extmark(bufnr, namespace, row, col, {
    id = 1,
    virt_text = lines[1],
    virt_lines = vim.list_slice(lines, 2),
    virt_text_pos = ghost.tail > 0 and 'overlay' or 'inline',
    hl_mode = 'combine',
  })
  return true
end

---@param bufnr integer
local function cancel(bufnr)
  local state = states[bufnr]
  state.serial = state.serial + 1 -- what is under way answers nobody from now on
  if state.timer then
    state.timer:stop()
    state.timer:close()
    state.timer = nil
  end
  local client = state.request_id and vim.lsp.get_client_by_id(state.client_id)
  if client then
    client:cancel_request(state.request_id)
  end
  state.request_id = nil
end

---@param item lsp.InlineCompletionItem
---@param encoding string
---@return truepenny.Ghost|nil
local function ghost_of(item, encoding)
  local row, col, line = cursor()
  local first, last = item.range.start, item.range['end']
  if first.line ~= row or last.line ~= row then
    return nil
  end
  local start = vim.str_byteindex(line, encoding, first.character, false)
  local stop = vim.str_byteindex(line, encoding, last.character, false)
  return {
    text = (item.insertText:gsub('\r\n', '\n')),
    row = row,
    before = line:sub(1, start),
    after = line:sub(col + 1),
    tail = math.max(0, stop - col),
    command = item.command,
  }
end

---@param bufnr integer
local function request(bufnr)
  local state = states[bufnr]
  local client = state and vim.lsp.get_client_by_id(state.client_id)
  if not client or vim.api.nvim_get_current_buf() ~= bufnr then
    return
  end
  local serial, tick = state.serial, vim.api.nvim_buf_get_changedtick(bufnr)
  local place = vim.api.nvim_win_get_cursor(0)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.context = { triggerKind = AUTOMATIC }
  local _, id = client:request(METHOD, params, function(err, result)
    if states[bufnr] ~= state or state.serial ~= serial then
      return
    end
    state.request_id = nil
    if err then
      if err.code ~= REQUEST_CANCELLED then
        vim.lsp.log.error('truepenny', err)
      end
      return
    end
    local is_here = vim.api.nvim_get_current_buf() == bufnr and vim.api.nvim_get_mode().mode:find('^i')
    if
      not is_here
      or vim.api.nvim_buf_get_changedtick(bufnr) ~= tick
      or not vim.deep_equal(vim.api.nvim_win_get_cursor(0), place)
    then
      return
    end
    local item = result and result.items[1]
    state.ghost = item and ghost_of(item, client.offset_encoding)
    draw(bufnr)
  end, bufnr)
  state.request_id = id
end

---@param bufnr integer
local function update(bufnr)
  -- What is typed through is redrawn without asking again.
  if draw(bufnr) then
    return
  end
  cancel(bufnr)
  local pause_ms = require('truepenny.config').get().inline.debounce_ms
  states[bufnr].timer = vim.defer_fn(function()
    local state = states[bufnr]
    if state then
      state.timer = nil
      request(bufnr)
    end
  end, pause_ms)
end

---@param bufnr integer
function M.dismiss(bufnr)
  if states[bufnr] then
    cancel(bufnr)
    hide(bufnr)
  end
end

---@param bufnr integer
local function detach(bufnr)
  if states[bufnr] then
    if vim.api.nvim_buf_is_valid(bufnr) then
      M.dismiss(bufnr)
    end
    states[bufnr] = nil
    vim.api.nvim_del_augroup_by_name('truepenny.inline.' .. bufnr)
  end
end

---Show the suggestions of a client in a buffer.
---@param client_id integer
---@param bufnr integer
function M.attach(client_id, bufnr)
  detach(bufnr)
  states[bufnr] = { client_id = client_id, serial = 0 }
  local group = vim.api.nvim_create_augroup('truepenny.inline.' .. bufnr, { clear = true })
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      update(bufnr)
    end,
  })
  vim.api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      M.dismiss(bufnr)
    end,
  })
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    buffer = bufnr,
    callback = function(args)
      if args.data.client_id == client_id then
        vim.schedule(function()
          detach(bufnr)
        end)
      end
    end,
  })
end

---@param bufnr integer
---@param ghost truepenny.Ghost
local function apply(bufnr, ghost)
  local row, col = cursor()
  local start, stop = #ghost.before, col + ghost.tail
  local lines = vim.split(ghost.text, '\n', { plain = true })
  vim.api.nvim_buf_set_text(bufnr, row, start, row, stop, lines)
  local last = #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines == 1 and start + last or last })
  local client = vim.lsp.get_client_by_id(states[bufnr].client_id)
  if client and ghost.command then
    client:exec_cmd(ghost.command, { bufnr = bufnr })
  end
end

---Accept what is shown in the current buffer.
---@return boolean accepted
function M.accept()
  local bufnr = vim.api.nvim_get_current_buf()
  local ghost = states[bufnr] and states[bufnr].ghost
  if not ghost or not remainder(ghost) then
    return false
  end
  -- An expression mapping may not change the text; a moment later it may be changed.
  vim.schedule(function()
    if vim.api.nvim_get_current_buf() == bufnr and states[bufnr] and remainder(ghost) then
      M.dismiss(bufnr)
      apply(bufnr, ghost)
    end
  end)
  return true
end

return M
