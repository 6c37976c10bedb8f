# The index of tasks. Everything is built and installed under target/; nothing else is written.
# TF and TOFU name the terraform and the tofu to use; PYTHON names the Python.

SHELL := /bin/bash
# What a shell has set must not lead a script elsewhere.
unexport CDPATH
.DEFAULT_GOAL := help
# One configuration for everything but releases, so that nothing is compiled twice:
# test-clock lets the tests and the demo move the provider's clock, and naming the examples gives every build the
# features that the tests' own dependencies ask of the crates that both use.
CONFIG := --workspace --features test-clock
BUILD := $(CONFIG) --lib --bins --examples

.PHONY: help
help: ## What can be done here
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-11s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Compile the provider and the sandbox
	cargo build --locked $(BUILD)

.PHONY: test
test: ## All checks: tools, lint, docs, and every test against a real Keystone and the real CLI
	@scripts/need.sh rust rust_tools go python cli
	$(MAKE) --no-print-directory lint supply
	cargo test --locked $(CONFIG) --no-run
	scripts/docs.sh --check
	@# A test bed that was running before stays; one that this run started ends with it. Most tests wait most of the
	@# time, for a cloud or for a CLI: four of them for each processor keep it busy. What is released is another build
	@# than the one of the tests: it is made meanwhile, and tried last, with its transport and a scenario.
	@was=$$($(BED) status 2>/dev/null); \
	export RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((4 * $$(getconf _NPROCESSORS_ONLN)))}; \
	{ scripts/release.sh > target/release.log 2>&1 & } && \
	cargo test --locked $(CONFIG) -- --skip release:: && \
	PROVIDER=$$(scripts/release.sh) cargo test --locked $(CONFIG) --test it -- release:: transport:: scenarios::issue::what_is_issued; code=$$?; \
	[ -n "$$was" ] || $(BED) down; \
	exit $$code
BED = "$${PYTHON:-python3}" tests/openstack/bed.py

.PHONY: lint
lint: ## Format, clippy and rustdoc, all without a single warning
	cargo fmt --all --check
	cargo clippy --locked $(CONFIG) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked $(CONFIG) --lib --bin terraform-provider-rekey --examples --no-deps --document-private-items

.PHONY: supply
supply: ## Licences, bans and sources of all crates, as deny.toml wants them; asks nobody
	@scripts/need.sh rust python
	@"$${PYTHON:-python3}" scripts/supply.py check

.PHONY: demo
demo: ## Issue, use, rotate, retire: a tour with the real CLI and a stand-in cloud, no account needed
	@scripts/need.sh rust cli
	cargo build --locked $(BUILD)
	@target/debug/examples/demo

.PHONY: docs
docs: ## Write docs/ from the schema, templates/ and examples/
	@scripts/need.sh rust go python cli
	scripts/docs.sh

.PHONY: docs-check
docs-check: ## Fail when docs/ is stale
	@scripts/need.sh rust go python cli
	scripts/docs.sh --check

.PHONY: bench
bench: ## Start-up, memory, size, and plans of 1, 100 and 1,000 credentials, as ratios
	@scripts/need.sh rust cli python
	cargo build --locked --release -p rekey-sandbox
	@PROVIDER=$$(scripts/release.sh) "$${PYTHON:-python3}" scripts/bench.py

.PHONY: dist
dist: ## What a release consists of, in target/dist: archive, sums, manifest, bill of materials
	@scripts/need.sh rust python
	@"$${PYTHON:-python3}" scripts/dist.py

.PHONY: dist-twice
dist-twice: ## Make it again in another folder, and compare byte by byte
	@scripts/need.sh rust python
	scripts/dist_twice.sh

.PHONY: fuzz
fuzz: ## Throw noise at everything that reads what others wrote, RUNS times each; needs the nightly toolchain
	scripts/fuzz.sh

.PHONY: install
install: ## Build the release and install it into the user's plugin directory
	@scripts/need.sh rust
	scripts/install.sh

.PHONY: address
address: ## Where terraform and tofu look for the provider; ADDRESS=[HOST/]NAMESPACE/rekey sets it
	@scripts/address.sh $(ADDRESS)

.PHONY: soak
soak: ## Random histories of a credential, and the property tests of what decides, as many as CASES says
	REKEY_HISTORIES=$${CASES:-100000} PROPTEST_CASES=$${CASES:-100000} \
	cargo test --locked $(CONFIG) --lib rotation -- --nocapture

.PHONY: bed
bed: ## Start the real Keystone of the tests by hand, and say where it is
	@scripts/need.sh python
	@$(BED) up

.PHONY: bed-down
bed-down: ## Stop it
	@$(BED) down
