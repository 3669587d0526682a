# One line of help per target: the text after ##.
GO ?= go
# The race detector links C; without a compiler the tests run without it.
RACE := $(shell command -v $(firstword $(shell CGO_ENABLED=1 $(GO) env CC)) >/dev/null && echo -race)
LAB := cd lab && $(GO) run ./cmd/lab

.DEFAULT_GOAL := help
.PHONY: help build demo test test-product test-lab lab lab-down record soak bench bench-why bench-scale fuzz docs

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/unjam and bin/kubectl-unjam
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/unjam ./cmd/unjam
	ln -sf unjam bin/kubectl-unjam

demo: ## replay recorded real stalls; needs no cluster
	$(GO) run ./cmd/unjam demo

test: test-product test-lab ## all tests: product, then the lab's on hollow and real nodes

test-product: ## product tests, with the race detector where there is a C compiler; no cluster needed
	$(GO) vet ./...
	@[ -n "$(RACE)" ] || echo "no C compiler: testing without the race detector (install gcc for it)"
	$(GO) test $(RACE) ./...

test-lab: build ## scenarios on a real Kubernetes: hollow nodes, then real nodes
	lab/test.sh

lab: ## bring up a real cluster (built once into a cache) and print its KUBECONFIG
	@$(LAB) up

lab-down: ## stop the lab and leave nothing behind
	@$(LAB) down

record: build ## run all scenarios on the lab and save their bundles; RUNTIME=1.6: under that containerd
	RUNTIME=$(RUNTIME) lab/record.sh

soak: build ## play ROLLOUTS (220) that recover or are slow on the lab, count false dooms
	lab/soak.sh

bench: ## benchmarks with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...

bench-why: ## why -A beside a raw list: 1,000 nodes, 10,000 pods
	test/bench-why.sh 1000 10000 5

bench-scale: ## the same at 5,000 nodes, 100,000 pods; needs 24 GiB and an idle machine
	test/bench-why.sh 5000 100000 3

fuzz: ## fuzz every parser for FUZZTIME (default 30s) each
	test/fuzz.sh

docs: ## regenerate docs/causes, exit codes and the command reference
	$(GO) run ./docs/generate
