# What a developer does with Gatehouse; the work is in scripts/, where every file begins with what it is for.
.PHONY: help run watch test test-browsers test-watch test-s3 lint bench soak fuzz audit schemathesis setup build dist pictures sizes

help:  ## Says what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
run:   ## Installs what is missing, builds for release and serves
	@scripts/run
watch: ## Serves, and builds again at every change
	@scripts/watch
test:  ## Runs every test; the last line says how many passed and failed
	@scripts/test
test-browsers: ## Runs the tests in WebKit and Firefox
	@scripts/test-browsers
test-watch: ## Edits a copy of the tree under `make watch`, and sees each edit in the open page
	@scripts/test-watch
test-s3: ## Keeps files in a store that speaks S3, and takes them out again
	@scripts/test-s3
lint:  ## Checks form: rustfmt, clippy, rustdoc, TypeScript, lock files
	@scripts/lint
bench: ## Measures, and writes BENCHMARKS.md anew
	@scripts/bench
soak:  ## Kills and restarts the program under load for ten minutes; nothing that was answered may be lost
	@scripts/soak
fuzz:  ## Looks for input that breaks what reads it; needs a nightly toolchain
	@scripts/fuzz
audit: ## Looks at licences, duplicates and advisories of what we depend on
	@scripts/audit
schemathesis: ## Calls the interface as its description allows, and as it does not
	@scripts/schemathesis
setup: ## Installs what is missing
	@scripts/setup
build: ## Builds for release
	@scripts/build
dist:  ## Puts what a server needs into dist/
	@scripts/dist
pictures: ## Takes the pictures of the pages anew
	@scripts/pictures
sizes: ## Says which crate costs every visitor how many bytes
	@scripts/sizes
