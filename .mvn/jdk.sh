# Sourced by `lory`: finds a JDK of at least $lory_need, even when the default `java` is older, and exports JAVA_HOME.
lory_need=25

lory_jdk_fits() {
  [ -n "$1" ] && [ -f "$1/release" ] && [ -x "$1/bin/javac" ] || return 1
  lory_major=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release")
  [ -n "$lory_major" ] && [ "$lory_major" -ge "$lory_need" ]
}

# The folder of the JDK that a command on the PATH belongs to.
lory_jdk_of() {
  lory_tool=$(command -v "$1" 2>/dev/null) && lory_tool=$(readlink -f "$lory_tool") && dirname "$(dirname "$lory_tool")"
}

lory_find_jdk() {
  for lory_dir in "${JAVA_HOME-}" "${JAVA25_HOME-}" "${JAVA_HOME_25_X64-}" "${JAVA_HOME_25_ARM64-}" \
      "$(lory_jdk_of javac || true)" "$(lory_jdk_of java || true)"; do
    if lory_jdk_fits "$lory_dir"; then printf %s "$lory_dir"; return 0; fi
  done
  # JDKs live side by side: look beside the ones that are too old, then where tools and systems put them.
  for lory_old in "${JAVA_HOME-}" "$(lory_jdk_of javac || true)" "$(lory_jdk_of java || true)"; do
    [ -n "$lory_old" ] || continue
    for lory_dir in "$(dirname "$lory_old")"/*; do
      if lory_jdk_fits "$lory_dir"; then printf %s "$lory_dir"; return 0; fi
    done
  done
  for lory_root in /usr/lib /usr/lib64 /usr/local/lib; do
    for lory_dir in "$lory_root"/jvm/*; do
      if lory_jdk_fits "$lory_dir"; then printf %s "$lory_dir"; return 0; fi
    done
  done
  for lory_dir in "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* /opt/java/* /opt/jdk* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if lory_jdk_fits "$lory_dir"; then printf %s "$lory_dir"; return 0; fi
  done
  return 1
}

if JAVA_HOME=$(lory_find_jdk); then
  export JAVA_HOME
else
  echo "lory: no JDK $lory_need or newer found; install one, or set JAVA_HOME to it" >&2
  exit 2
fi
