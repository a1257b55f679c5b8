# What CI runs is `make check web-test`, and nothing else. Each part can be run alone.

CARGO ?= cargo
WASM_TARGET := wasm32-unknown-unknown
WASI_TARGET := wasm32-wasip1
ARM64_TARGET := aarch64-unknown-linux-gnu
# Set them where `rustup target add` cannot work: the name of a toolchain that has the target already.
WASM_TOOLCHAIN ?=
WASI_TOOLCHAIN ?=
ARM64_TOOLCHAIN ?=
# The library's tests that say something about a processor: kernels, golden points, whole networks, cascades.
PORTABLE_TESTS := -p lineament --features draw,cascade --lib --test engine --test cascade --test draw

.PHONY: check fmt clippy test doctest doc no-default-features wasm-check wasm-test arm64-test inlined miri regenerate web web-test program

check: fmt clippy test doctest doc no-default-features wasm-check wasm-test arm64-test inlined

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --features lineament/draw -- -D warnings

# Doc tests have their own target; --all-targets would run the benches too.
test:
	$(CARGO) test --workspace --lib --bins --tests --examples --features lineament/draw

doctest:
	$(CARGO) test --workspace --doc --features lineament/draw

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --features lineament/draw

# The library without its models and without drawing: what an app with its own model embeds. The program without C++.
no-default-features:
	$(CARGO) clippy -p lineament --no-default-features -- -D warnings
	$(CARGO) clippy -p lineament-cli --no-default-features --all-targets -- -D warnings

# What a user does to run in a browser.
wasm-check:
ifeq ($(WASM_TOOLCHAIN),)
	rustup target add $(WASM_TARGET)
endif
	RUSTFLAGS="-C target-feature=+simd128" $(CARGO) $(addprefix +,$(WASM_TOOLCHAIN)) build -p lineament --target $(WASM_TARGET)

# An app builds the library in its own profile, where the compiler inlines less. A vector instruction that is left as a
# function of its own, called for every number, makes a kernel several times as slow; then its symbol is there.
inlined:
	$(CARGO) build -p lineament-nn --example engine_time --profile app
	nm $${CARGO_TARGET_DIR:-target}/app/examples/engine_time > $${CARGO_TARGET_DIR:-target}/app/symbols
	! grep -E 'core_arch.*(_mm|arm_shared|aarch64)' $${CARGO_TARGET_DIR:-target}/app/symbols

# The library's tests in Node, which runs what browsers run; WASI gives them files and a standard output. A failing test
# ends the program there, so nothing may be held back; proptest says that it finds no place for its failures.
wasm-test:
ifeq ($(WASI_TOOLCHAIN),)
	rustup target add $(WASI_TARGET)
endif
	RUSTFLAGS="-C target-feature=+simd128" \
		CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings $(CURDIR)/tools/wasi_run.mjs" \
		$(CARGO) $(addprefix +,$(WASI_TOOLCHAIN)) test $(PORTABLE_TESTS) --target $(WASI_TARGET) -- --no-capture

# The same on the phone's instruction set: natively on arm64 Linux, elsewhere under qemu
# (Debian: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross).
ifneq ($(shell uname -sm),Linux aarch64)
arm64-test: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER ?= aarch64-linux-gnu-gcc
arm64-test: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER ?= qemu-aarch64 -L /usr/aarch64-linux-gnu
endif
arm64-test:
ifeq ($(ARM64_TOOLCHAIN),)
	rustup target add $(ARM64_TARGET)
endif
	$(CARGO) $(addprefix +,$(ARM64_TOOLCHAIN)) test $(PORTABLE_TESTS) --target $(ARM64_TARGET)

# The kernels' pointers, at the plain level, by an interpreter that checks each access. Needs a nightly toolchain with
# the component miri; not part of `check`.
miri:
	$(CARGO) +nightly miri test -p lineament-nn --lib engine::

# The npm package and the live page, in apps/web/dist. Needs Node with npm, and wasm-bindgen, which build.sh asks for.
web:
ifeq ($(WASM_TOOLCHAIN),)
	rustup target add $(WASM_TARGET)
endif
	cd apps/web && npm ci --no-audit --no-fund && ./build.sh

# Both in Chromium and in Node, beside the program that `make test` has built.
web-test: web
	$(CARGO) build --workspace --bins --examples --features lineament/draw
	cd apps/web && npm test

# The program with the page inside: `target/release/lineament web`.
program: web
	$(CARGO) build --release -p lineament-cli --features page

# After a new model: the points that tests compare with. Look at the differences before committing them.
regenerate:
	REGENERATE=1 $(CARGO) test -p lineament --lib golden
	REGENERATE=1 $(CARGO) test -p lineament-cli --test cli stored
