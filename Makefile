# Developer tasks. Each target runs the script of the same name in scripts/, whose header says more.
.PHONY: help run watch test test-browsers test-watch test-s3 lint bench bench-cluster bench-large soak fuzz audit schemathesis test-image setup build dist image pictures sizes

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
run:   ## Install missing tools, build for release and serve
	@scripts/run
watch: ## Serve a debug build, and rebuild on changes
	@scripts/watch
test:  ## Run all tests; the last line counts passed and failed ones
	@scripts/test
test-browsers: ## Run the tests in WebKitGTK and Firefox
	@scripts/test-browsers
test-watch: ## Test `make watch` in a copy of the tree: each edit reaches the open page
	@scripts/test-watch
test-s3: ## Test file storage against an S3 server
	@scripts/test-s3
test-image: ## Build the container image and test what is in it
	@scripts/test-image
lint:  ## Check formatting, clippy, rustdoc, TypeScript, lock files, vocabulary and layers
	@scripts/lint
bench: ## Benchmark one server and write its part of BENCHMARKS.md
	@scripts/bench
bench-cluster: ## Benchmark two nodes on PostgreSQL and write their part of BENCHMARKS.md
	@scripts/bench-cluster
bench-large: ## Benchmark a million accounts and sessions and write their part of BENCHMARKS.md
	@scripts/bench-large
soak:  ## Kill and restart the server under load for ten minutes; no acknowledged change may be lost
	@scripts/soak
fuzz:  ## Fuzz the parsers of untrusted input; needs a nightly toolchain
	@scripts/fuzz
audit: ## Check licenses, duplicates and advisories of the dependencies
	@scripts/audit
schemathesis: ## Test the API against its OpenAPI document
	@scripts/schemathesis
setup: ## Install missing tools
	@scripts/setup
build: ## Build for release
	@scripts/build
image: ## Build the container image, with buildah or docker
	@scripts/image
dist:  ## Collect the files of a deployment in dist/
	@scripts/dist
pictures: ## Take the screenshots in docs/pictures/ again
	@scripts/pictures
sizes: ## Write the sizes of the browser files, and of the WASM module by crate, to docs/pages.md
	@scripts/sizes
