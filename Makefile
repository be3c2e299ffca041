# `make` alone lists the targets.

# A go.work of somebody else's above this folder would hide our modules.
export GOWORK := off

SHELL := bash
tools := .dev/bin

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

build: ## bin/starter, bin/worker and bin/sandbox
	go build -buildvcs=false -o bin/ ./starter ./worker ./sandbox

check: formatting vet lint workflowcheck layout ## formatting, vet, lint, determinism of workflows, import policy

formatting:
	@unformatted=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet:
	go vet ./...
	go -C tools/devenv vet ./...
	go -C tools/oascheck vet ./...

lint: $(tools)/golangci-lint
	$(tools)/golangci-lint run ./...
	cd tools/devenv && ../../$(tools)/golangci-lint run --config ../../.golangci.yml ./...
	cd tools/oascheck && ../../$(tools)/golangci-lint run --config ../../.golangci.yml ./...

workflowcheck: $(tools)/workflowcheck
	@echo "workflowcheck ./workflows/..."
	@$(tools)/workflowcheck -config .workflowcheck.yaml ./workflows/... >$(tools)/workflowcheck.out 2>&1 || { \
	  grep -v 'calls non-deterministic function' $(tools)/workflowcheck.out | sed 's/^ *//' | sort -u; \
	  echo "how a workflow gets there: $(tools)/workflowcheck.out"; exit 1; }

layout:
	go test -count=1 .

test: ## all tests, against a Postgres and a Temporal of their own
	./temporal-dev.sh test

readers: ## every cell of a bundle as Miller and csvkit read it, too
	@for program in mlr csvjson; do command -v $$program >/dev/null || { \
	  echo "$$program is missing: install Miller and csvkit, on Debian and Ubuntu with: sudo apt-get install miller csvkit"; exit 1; }; done
	./temporal-dev.sh test ./destination/csvbundle -run TestReadersAgreeOnEveryCell -further-readers

demo: ## everything up, and 12 sample customers migrated
	./temporal-dev.sh demo

bench: ## throughput beside a bare loop; fails when an aim is missed
	go build -buildvcs=false -o bin/ ./integration/bench
	./temporal-dev.sh with-servers -- bin/bench

bench-pace: ## pace: budgets, egress, edge, source; about half an hour; fails when an aim is missed
	go build -buildvcs=false -o bin/ ./integration/pace
	./temporal-dev.sh with-servers -- bin/pace

chaos: ## kills, cuts and delays while 300,000 tickets move; `make chaos SEED=n` for another order
	go build -buildvcs=false -o bin/ ./integration/chaos
	./temporal-dev.sh with-servers -- bin/chaos -seed $(or $(SEED),1)

roundtrip: ## 50,000 tickets and hostile text migrated, read back and compared; fails when a difference is not listed
	go build -buildvcs=false -o bin/ ./integration/roundtrip
	./temporal-dev.sh with-servers -- bin/roundtrip

bench-csv: ## a CSV bundle beside psql's \copy; `make bench-csv STEPS=speed,gzip` for some of it
	go build -buildvcs=false -o bin/ ./integration/benchcsv
	./temporal-dev.sh with-servers -- bin/benchcsv $(if $(STEPS),-steps $(STEPS))

oas-check: ## requests and answers against Zendesk's OpenAPI file; OAS=FILE, from https://developer.zendesk.com/zendesk/oas.yaml
	@test -n "$(OAS)" || { echo "say where Zendesk's OpenAPI file is: make oas-check OAS=FILE (https://developer.zendesk.com/zendesk/oas.yaml)"; exit 2; }
	mkdir -p .dev && rm -f .dev/exchanges.ndjson
	go -C tools/oascheck test ./... && go -C tools/oascheck build -buildvcs=false -o ../../bin/oascheck .
	go test -count=1 ./destination/zendesk -record $(CURDIR)/.dev/exchanges.ndjson
	bin/oascheck -oas "$(OAS)" -exchanges .dev/exchanges.ndjson

zendesk-facts: ## what the sandbox assumes, asked of a real account; ACCOUNT=its name in the accounts file
	go build -buildvcs=false -o bin/ ./integration/zendeskfacts
	bin/zendeskfacts -account "$(ACCOUNT)"

bench-attachments: ## 2,000 files byte for byte, and a worker's memory with ten of 50 MB; fails when an aim is missed
	go build -buildvcs=false -o bin/ ./integration/files
	./temporal-dev.sh with-servers -- bin/files

clean: ## stop the development environment and delete all that was made
	./temporal-dev.sh reset
	rm -rf .dev bin

$(tools)/golangci-lint: tools/golangci-lint/go.mod
	@echo "building golangci-lint, once (about 4 minutes on 2 cores)"
	go build -C tools/golangci-lint -buildvcs=false -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(tools)/workflowcheck: tools/workflowcheck/go.mod
	@echo "building workflowcheck, once (about 10 seconds)"
	go build -C tools/workflowcheck -buildvcs=false -o ../../$@ go.temporal.io/sdk/contrib/tools/workflowcheck

.PHONY: help build check formatting vet lint workflowcheck layout test readers demo bench bench-pace bench-csv chaos roundtrip oas-check zendesk-facts bench-attachments clean
.DEFAULT_GOAL := help
