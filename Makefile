# Each target sets up what it needs.
.PHONY: demo run new-bot install uninstall deb test quick lab bench soak lint check index
BIN := .venv/bin
BOT ?= bots/demo
NAME ?=
INSTALL ?=
SOAK ?=

demo:     ; @tools/setup run && $(BIN)/automation-bots demo
run:      ; @tools/setup run && exec $(BIN)/automation-bots run $(BOT)
check:    ; @tools/setup run && $(BIN)/automation-bots check $(BOT)
new-bot:  ; @tools/setup run && $(BIN)/automation-bots new bot "$(NAME)"
install:  ; @tools/setup run && $(BIN)/automation-bots install $(BOT) $(INSTALL)
uninstall: ; @$(BIN)/automation-bots uninstall $(BOT) $(INSTALL)
deb:      ; @tools/deb
test:     ; @tools/setup test && $(MAKE) -s lint && $(BIN)/python -m tests
quick:    ; @tools/setup test && $(BIN)/pytest -q -n 2 -m "not slow"
lint:     ; @tools/setup test && $(BIN)/ruff check . && $(BIN)/ruff format --check -q . && $(BIN)/mypy
index:    ; @tools/module-index
lab:      ; @tools/setup test && $(BIN)/python -m tests.fakes
bench:    ; @tools/setup test && $(BIN)/python -m bench $(NAME)
soak:     ; @tools/setup test && $(BIN)/python -m bench.soak $(SOAK)
