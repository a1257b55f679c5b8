# What CI runs is `make check`, and nothing else. Each part can be run alone.

CARGO ?= cargo
WASM_TARGET := wasm32-unknown-unknown
# Set it where `rustup target add` cannot work: the name of a toolchain that has the target already.
WASM_TOOLCHAIN ?=

.PHONY: check fmt clippy test doctest doc no-default-features wasm-check

check: fmt clippy test doctest doc no-default-features wasm-check

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
