-- Found by `vim.lsp.enable('truepenny')`.  Anything here can be changed with `vim.lsp.config()`.
return require('truepenny.config').lsp()
