# ntl-setup: `make demo` shows the main job, `make test` checks everything.

GO        ?= go
BIN       := bin
LDFLAGS   := -s -w
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
TARGETS   := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# What the tests use besides Go: a command, and Debian's package that has it.
NEEDS     := sshd:openssh-server ssh:openssh-client scp:openssh-client sftp:openssh-client pscp:putty-tools \
             openssl:openssl nc:netcat-openbsd csh:csh sudo:sudo useradd:passwd ps:procps find:findutils gcc:gcc git:git wine64:wine64 softhsm2-util:softhsm2

export PATH := $(PATH):/usr/sbin:/sbin:/usr/lib/wine
export GOFLAGS := -buildvcs=false $(GOFLAGS)

.DEFAULT_GOAL := help
.PHONY: help build demo test needs vet lint cross race fuzz bench cover schema clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

build: ## build ntl-setup, ntl-lab and, where there is a C compiler, ntl-probe into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/ntl-setup ./cmd/ntl-lab
	@if [ "$$($(GO) env GOOS)" != linux ]; then echo "ntl-probe is left out: it is a Linux program"; \
	elif ! command -v $$($(GO) env CC) >/dev/null 2>&1; then echo "ntl-probe is left out: it needs a C compiler (gcc)"; \
	else CGO_ENABLED=1 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/ntl-probe || \
	  echo "ntl-probe is left out: the C compiler could not build it"; fi

demo: build ## the main job on a simulated site, on this machine; needs nothing but Go and make
	@$(BIN)/ntl-lab demo --ntl-setup $(BIN)/ntl-setup

test: needs cross vet lint race ## everything: builds for all systems, vet, lint, tests with the race detector

needs: # install what the tests need, or name it
	@missing=; for need in $(NEEDS); do \
	  command -v "$${need%%:*}" >/dev/null 2>&1 || missing="$$missing $${need##*:}"; done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "installing:$$missing"; apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else echo "the tests need these Debian packages:$$missing"; exit 1; fi

cross: # the binaries are pure Go and static on every system
	@for t in $(TARGETS); do echo "build $$t"; \
	  CGO_ENABLED=0 GOOS=$${t%%/*} GOARCH=$${t##*/} $(GO) build -trimpath -o /dev/null ./cmd/ntl-setup || exit 1; \
	  CGO_ENABLED=0 GOOS=$${t%%/*} GOARCH=$${t##*/} $(GO) build -trimpath -o /dev/null ./cmd/ntl-lab || exit 1; done

vet:
	$(GO) vet ./...

lint: ## golangci-lint, at the version that this file names
	GOFLAGS=-buildvcs=false $(GO) run $(GOLANGCI) run ./...

race: # a program under the detector sleeps for a second at its end unless told not to
	GORACE=atexit_sleep_ms=0 $(GO) test -race -parallel 4 -timeout 40m ./...

fuzz: ## every fuzz target for a minute (FUZZTIME=10s for less)
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "fuzz $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-60s} -fuzzminimizetime 200x $$pkg || exit 1; done; done

bench: NEEDS += sshpass:sshpass
bench: needs ## what a run costs beside an admin's scripts, fleets, and the hot paths with their allocations
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v /cmd/internal/bench$$)
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 3h ./cmd/internal/bench

cover: ## statement coverage of all packages, as one figure and a profile
	$(GO) test -coverpkg=./... -coverprofile=$(BIN)/cover.out ./... && $(GO) tool cover -func=$(BIN)/cover.out | tail -1

schema: ## write the JSON Schemas of ntl.yaml, the output document and the events anew
	$(GO) test ./cmd/internal/ui ./cmd/internal/config -run Schema -update

clean: ## remove what was built
	rm -rf $(BIN)
