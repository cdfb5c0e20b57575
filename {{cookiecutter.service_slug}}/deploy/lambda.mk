# What `sam build` runs for each function: all of them are given the same package, which is made once.

RUNTIME ?= {{ cookiecutter.python_version }}
PLATFORM ?= aarch64-manylinux_2_28
# `runtime`: botocore is the one that Lambda brings with its boto3: the package is smaller, and it is older
BOTO3 ?= own

LAMBDA := build/lambda
# A checksum of every file that goes into it, and of its name: no time stamp tells of a file that was renamed or deleted.
CHECKSUM := $(shell find src deploy/lambda.mk deploy/package.py pyproject.toml $(wildcard uv.lock) -type f \
    ! -path '*/__pycache__/*' -exec cksum {} + | LC_ALL=C sort | cksum | tr ' ' -)
MADE := $(LAMBDA)/made-$(RUNTIME)-$(PLATFORM)-$(BOTO3)-$(CHECKSUM)
# What botocore must know besides the clients that the code makes: those that libraries make.
SERVICES := {{ "dynamodb " if cookiecutter.store == "dynamodb" }}sts

build-%: $(MADE)
	cp -R $(LAMBDA)/package/. "$(ARTIFACTS_DIR)"

# `uv pip install` would take a pyproject.toml without a word and install nothing of what it needs:
# the dependencies come from the lock file, those of development left out. The byte code is that of
# the runtime's own version, which uv finds or downloads, and is never compared with the source.
$(MADE): | .venv/synced
	rm -rf $(LAMBDA)
	mkdir -p $(LAMBDA)/package
	.venv/bin/uv export --quiet --frozen --no-dev --no-emit-project --output-file $(LAMBDA)/requirements.txt
	.venv/bin/uv pip install --quiet --no-deps --only-binary :all: --target $(LAMBDA)/package \
	    --python-platform $(PLATFORM) --python-version $(RUNTIME) --requirements $(LAMBDA)/requirements.txt
	cp -R src/{{ cookiecutter.__package }} $(LAMBDA)/package/
	UV_PYTHON= UV_PYTHON_DOWNLOADS=automatic PYENV_VERSION=$(RUNTIME) .venv/bin/uv run --quiet --no-project --python $(RUNTIME) \
	    deploy/package.py $(LAMBDA)/package --code src/{{ cookiecutter.__package }} --services $(SERVICES) --boto3 $(BOTO3)
	@touch $@
