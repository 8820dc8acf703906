#!/usr/bin/env bash
# home_assistant.sh FOLDER   installs Home Assistant into FOLDER, and nothing anywhere else: FOLDER/hass starts it.
#
# It needs Python 3.13.2 or newer: $HOME_ASSISTANT_PYTHON, or the newest of the PATH. On an older Debian, which has none,
# Debian 13's is unpacked into the folder, with the libraries that it runs on; neither that nor anything else needs root.
set -euo pipefail

version=${HOME_ASSISTANT_VERSION:-2026.2.3}   # the last one for Python 3.13
folder=$(mkdir -p "$1" && cd "$1" && pwd)
installed=$folder/installed-$version
[ -e "$installed" ] && exit 0

is_new_enough='import sys; sys.exit(sys.version_info < (3, 13, 2))'

unpack_python_of_debian_13() {
    command -v apt-get >/dev/null && [ -e "$keys" ] || return 1
    local mirror apt=$folder/apt root=$folder/debian13
    mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "Debian" {print $2; exit}')
    [ -n "$mirror" ] || return 1
    rm -rf "$apt" "$root"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$root"
    touch "$apt/status"
    echo "deb [signed-by=$keys] $mirror trixie main" >"$apt/sources.list"
    local options=(
        -qq -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
        -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1
    )
    apt-get "${options[@]}" update
    apt-get "${options[@]}" -y --no-install-recommends --download-only install python3.13 libstdc++6
    for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$root"; done
    rm -rf "$apt"
    local libraries
    libraries=$(dirname "$(find "$root/usr/lib" -name libc.so.6)")
    # Through its own loader: it wants a newer C library than this system has.
    python=("$(find "$root/usr" -name 'ld-linux*' | head -1)" --library-path "$libraries" "$root/usr/bin/python3.13")
}

keys=/usr/share/keyrings/debian-archive-keyring.gpg
python=()
for candidate in ${HOME_ASSISTANT_PYTHON:-python3.14 python3.13 python3}; do
    if "$candidate" -c "$is_new_enough" 2>/dev/null; then
        python=("$(command -v "$candidate")")
        break
    fi
done
if [ ${#python[@]} = 0 ] && ! unpack_python_of_debian_13; then
    echo "Home Assistant $version needs Python 3.13.2 or newer: install one, or name it in HOME_ASSISTANT_PYTHON" >&2
    exit 1
fi

# uv installs for a Python that is not the one it runs on.
python3 -m venv "$folder/uv"
"$folder/uv/bin/pip" install --quiet --disable-pip-version-check uv==0.11.3
rm -rf "$folder/packages"
install() {
    "$folder/uv/bin/uv" pip install --quiet --no-cache --target "$folder/packages" --python "$folder/uv/bin/python" \
        --python-version "$("${python[@]}" -c 'import platform; print(platform.python_version())')" "$@"
}
# The release it names has no wheel for Python 3.13, and another's compiler cannot make one.
echo "lru-dict>=1.3" >"$folder/overrides"
install --override "$folder/overrides" "homeassistant==$version"
# What its MQTT integration needs; it would install that itself, while it starts.
install --constraint "$folder/packages/homeassistant/package_constraints.txt" paho-mqtt home-assistant-frontend

cat >"$folder/hass" <<END
#!/bin/sh
PYTHONPATH=$folder/packages PYTHONNOUSERSITE=1 exec ${python[*]} -m homeassistant --skip-pip "\$@"
END
chmod +x "$folder/hass"
rm -rf "$folder/uv" "$folder/overrides"
"$folder/hass" --version
touch "$installed"
