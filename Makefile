# `make check` runs what CI runs, as far as this machine has the tools; tools/check.sh says what is skipped and how to get
# it. Each part can be run alone. Written for make 3.81, which macOS has.

CARGO ?= cargo
WASM_TARGET := wasm32-unknown-unknown
WASI_TARGET := wasm32-wasip1
ARM64_TARGET := aarch64-unknown-linux-gnu
# For machines where `rustup target add` cannot work: the name of a toolchain that has the target already.
WASM_TOOLCHAIN ?=
WASI_TOOLCHAIN ?=
ARM64_TOOLCHAIN ?=
ANDROID_TOOLCHAIN ?=
# The library's tests that depend on the processor: kernels, golden points, whole networks, cascades.
PORTABLE_TESTS := -p lineament-nn -p lineament --features lineament/draw,lineament/cascade --lib --test engine --test cascade --test draw

# OpenH264 is built from its source. Without a C++ compiler, MP4 is left out.
FEATURES := --features lineament/draw
ifeq ($(shell sh -c 'command -v "$${CXX:-c++}"' 2>/dev/null),)
FEATURES += --no-default-features
endif

.PHONY: check fmt clippy test doctest doc no-default-features wasm-check wasm-test arm64-test inlined miri regenerate
.PHONY: web web-test program android android-test

export CARGO ANDROID_TOOLCHAIN WASM_TOOLCHAIN WASI_TOOLCHAIN ARM64_TOOLCHAIN

check:
	@MAKE="$(MAKE)" tools/check.sh

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets $(FEATURES) -- -D warnings

# Doc tests have their own target; --all-targets would run the benches too.
test:
	$(CARGO) test --lib --bins --tests --examples $(FEATURES)

doctest:
	$(CARGO) test --doc $(FEATURES)

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps $(FEATURES)

# The library without its models and without drawing: what an app with its own model embeds. The program without C++.
no-default-features:
	$(CARGO) clippy -p lineament --no-default-features -- -D warnings
	$(CARGO) clippy -p lineament-cli --no-default-features --all-targets -- -D warnings

# The library and its bindings for browsers compile. `wasm-test` runs the library, `web-test` the bindings.
wasm-check:
	RUSTFLAGS="-C target-feature=+simd128" $(CARGO) $(addprefix +,$(WASM_TOOLCHAIN)) check -p lineament -p lineament-web \
		--target $(WASM_TARGET)

# An app builds the library in its own profile, where the compiler inlines less. If a vector instruction is not inlined,
# each use is a function call, and the kernel is several times as slow. Its symbol in the program shows that.
inlined:
	$(CARGO) build -p lineament-nn --example engine_time --profile app
	nm $${CARGO_TARGET_DIR:-target}/app/examples/engine_time > $${CARGO_TARGET_DIR:-target}/app/symbols
	! grep -E 'core_arch.*(_mm|arm_shared|aarch64)' $${CARGO_TARGET_DIR:-target}/app/symbols

# The library's tests in Node, whose V8 is Chromium's too; WASI gives them files and a standard output. A failing test
# aborts the program there, so output must not be captured. proptest warns that it cannot store failing cases.
wasm-test:
	RUSTFLAGS="-C target-feature=+simd128" \
		CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings $(CURDIR)/tools/wasi_run.mjs" \
		$(CARGO) $(addprefix +,$(WASI_TOOLCHAIN)) test $(PORTABLE_TESTS) --target $(WASI_TARGET) -- --no-capture

# The same on the phone's instruction set: natively on arm64 Linux, elsewhere under qemu
# (Debian: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross).
ifneq ($(shell uname -sm),Linux aarch64)
UNDER_QEMU := CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
endif
arm64-test:
	$(UNDER_QEMU) $(CARGO) $(addprefix +,$(ARM64_TOOLCHAIN)) test $(PORTABLE_TESTS) --target $(ARM64_TARGET)

# Plain kernels in Miri, an interpreter that checks every memory access. Needs a nightly toolchain with the component miri.
# These end in minutes; `make miri MIRI_TESTS=engine::` runs all kernels and takes more than an hour.
MIRI_TESTS ?= engine::plan engine::depthwise engine::tests::pooling engine::tests::small engine::int8::tests::integer_dense
miri:
	$(CARGO) +nightly miri test -p lineament-nn --lib -- $(MIRI_TESTS)

# The npm package and the live page, in apps/web/dist. Needs Node with npm, and wasm-bindgen, which build.sh asks for.
web:
	cd apps/web && npm ci --no-audit --no-fund && ./build.sh

# The package in Node and the page in Chromium, compared with what the program says.
web-test: web
	$(CARGO) build --bins --examples $(FEATURES)
	cd apps/web && npm test

# The page, and the program that serves it from apps/web/dist: `target/release/lineament web`.
program: web
	$(CARGO) build --release -p lineament-cli

# The app for arm64 and x86_64, in target/apk: built, signed, and checked. docs/android.md says what it needs.
android:
	tools/android.sh build
	tools/android.sh check

# The app's library in Android's own linker and C library, with fakes of the camera and the window. ANDROID_SYSTEM is a
# folder with these parts of a system: docs/android.md#running-it-without-a-phone.
android-test:
	tools/android_test.sh

# After a new model: the points that tests compare with. Look at the differences before committing them.
regenerate:
	REGENERATE=1 $(CARGO) test -p lineament --lib golden
	REGENERATE=1 $(CARGO) test -p lineament-cli --test cli stored
