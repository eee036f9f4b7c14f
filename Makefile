# What a developer does with Gatehouse; the work is in scripts/, where every file begins with what it is for.
.PHONY: help run watch test lint bench setup build dist pictures

help:  ## Says what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
run:   ## Installs what is missing, builds for release and serves
	@scripts/run
watch: ## Serves, and builds again at every change
	@scripts/watch
test:  ## Runs every test; the last line says how many passed and failed
	@scripts/test
lint:  ## Checks form: rustfmt, clippy, rustdoc, TypeScript, lock files
	@scripts/lint
bench: ## Measures, and writes BENCHMARKS.md anew
	@scripts/bench
setup: ## Installs what is missing
	@scripts/setup
build: ## Builds for release
	@scripts/build
dist:  ## Puts what a server needs into dist/
	@scripts/dist
pictures: ## Takes the README's pictures of the pages anew
	@scripts/pictures
