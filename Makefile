# The front door: each target is a thin call of a script in scripts/.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run test bench lint images fmt setup fresh clean

help: ## this list
	@echo "Porthole. What can be made:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Settings come from the environment: PORTHOLE_DATA_DIR, PORTHOLE_LISTEN, and at the first"
	@echo "start PORTHOLE_ADMIN_PASSWORD and PORTHOLE_USER_PASSWORD (docs/guide/configuration.md)."

run: ## install what is missing, build what has changed, start Porthole on https://localhost:8443
	@exec scripts/run.sh

test: ## everything that is tested, the browser tests included
	@exec scripts/test.sh

bench: ## measurements against their floors (bench/)
	@exec scripts/bench.sh

lint: ## formatting, clippy, dependency rules, licences, shell scripts
	@exec scripts/lint.sh

images: ## build the display image and all workspace images anew
	@exec scripts/images.sh --force

fmt: ## format Rust and web sources
	@exec scripts/fmt.sh

setup: ## only install what building and running need
	@exec scripts/setup.sh

fresh: ## prove 'make run' and 'make test' on a machine where nothing is installed (in a container)
	@exec scripts/fresh.sh

clean: ## remove what was built here (not images, not data)
	@exec scripts/clean.sh
