# Two commands are all that a bare clone needs; each makes its own environment in .venv, with the
# first Python of 3.11 or newer that it finds (another one: make PYTHON=/path/to/python app).
#   make app    the screen, on http://127.0.0.1:7860
#   make test   every test, with chromium for those of the screen
# And for those who change something: make check, make tree, make space (a rehearsal of the Space).

.PHONY: app test check tree space chromium

app: .venv/ready
	.venv/bin/python app.py

test: .venv/ready chromium
	.venv/bin/pytest --cov

check: .venv/ready
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright
	.venv/bin/pydoclint -q olvdm visualize
	.venv/bin/lint-imports

# the tree in CONTRIBUTING.md, from the first lines of the files
tree: .venv/ready
	.venv/bin/python -m tests.contract.tree

.venv/ready: requirements.txt pyproject.toml
	@set -e; found=; \
	for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
		if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.11 or newer with its venv module is needed; on Debian: apt-get install python3 python3-venv" >&2; \
		exit 1; \
	fi; \
	echo "Setting up .venv with $$found; the first time this takes some minutes."; \
	"$$found" -m venv .venv
	.venv/bin/python -m pip install -q -r requirements.txt -e ".[dev]"
	@touch $@

# the app as a Hugging Face Space has it: requirements.txt alone, nothing written outside a folder
space: .venv/ready
	.venv/bin/python -m benchmarks.space_rehearsal

# Debian's build plays H.264, which the tests of the screen need. Without it they are skipped.
chromium:
	@command -v chromium >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive \
		apt-get install -yq --no-install-recommends chromium fonts-dejavu-core; \
	} || echo "chromium is missing: the tests of the screen are skipped" >&2
