# What `sam build` runs for each function: all of them are given the same package, which is made once.

RUNTIME ?= {{ cookiecutter.python_version }}
PLATFORM ?= aarch64-manylinux_2_28
# `runtime`: botocore is the one that Lambda brings with its boto3: the package is smaller, and it is older
BOTO3 ?= own

LAMBDA := build/lambda
MADE := $(LAMBDA)/made-$(RUNTIME)-$(PLATFORM)-$(BOTO3)

# Every module, at any depth. A folder is followed by what is in it.
sources = $(foreach each,$(wildcard $(1)/*),$(if $(filter %.py,$(each)),$(each),$(call sources,$(each))))
SOURCES := $(call sources,src)

build-%: $(MADE)
	cp -R $(LAMBDA)/package/. "$(ARTIFACTS_DIR)"

# `uv pip install` would take a pyproject.toml without a word and install nothing of what it needs:
# the dependencies come from the lock file, those of development left out. The byte code is that of
# the runtime's own version, which uv finds or downloads, and is never compared with the source.
$(MADE): $(wildcard uv.lock) deploy/package.py $(SOURCES) | .venv/synced
	rm -rf $(LAMBDA)
	mkdir -p $(LAMBDA)/package
	.venv/bin/uv export --quiet --frozen --no-dev --no-emit-project --output-file $(LAMBDA)/requirements.txt
	.venv/bin/uv pip install --quiet --no-deps --only-binary :all: --target $(LAMBDA)/package \
	    --python-platform $(PLATFORM) --python-version $(RUNTIME) --requirements $(LAMBDA)/requirements.txt
	cp -R src/{{ cookiecutter.__package }} $(LAMBDA)/package/
	UV_PYTHON= UV_PYTHON_DOWNLOADS=automatic PYENV_VERSION=$(RUNTIME) .venv/bin/uv run --quiet --no-project --python $(RUNTIME) \
	    deploy/package.py $(LAMBDA)/package --services {{ "dynamodb dynamodbstreams " if cookiecutter.store == "dynamodb" }}s3 sts --boto3 $(BOTO3)
	@touch $@
