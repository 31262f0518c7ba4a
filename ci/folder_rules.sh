#!/bin/bash
# Who may know whom (docs/architecture.md), checked on the #include lines of every folder:
#   base     <- base
#   devices  <- base, devices
#   dump     <- base, dump
#   vmm      <- base, devices, dump, vmm
# and <linux/kvm.h> and ioctl stay in vmm/kvm/.
# Prints each violation and ends with 1, or says nothing and ends with 0.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

failed=0
violation() {
  echo "folder rule: $1"
  failed=1
}

sources() { find "$@" -type f \( -name '*.h' -o -name '*.cc' -o -name '*.c' -o -name '*.S' \) | sort; }

# may_include FOLDER ALLOWED...: its includes of our own folders are only the allowed ones.
may_include() {
  local folder=$1 allowed
  shift
  allowed=$(IFS='|'; echo "$*")
  while IFS=: read -r file line include; do
    violation "$file:$line: $folder must not include $include"
  done < <(sources "$folder" | xargs -r grep -Hno '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' |
    sed -E 's/#[[:space:]]*include[[:space:]]*"([^"]*)"/\1/; s/:[[:space:]]+/:/g' |
    grep -E ':(base|devices|dump|vmm|guest-tests|benchmarks)/' | grep -vE ":($allowed)/[^:]*$")
}

for folder in base devices dump vmm; do
  [ -d "$folder" ] || { echo "folder rule: there is no $folder/ in $PWD"; exit 2; }
done

may_include base base
may_include devices base devices
may_include dump base dump
may_include vmm base devices dump vmm

while IFS=: read -r file line _; do
  violation "$file:$line: <linux/kvm.h> outside vmm/kvm/"
done < <(sources base devices dump vmm | grep -v '^vmm/kvm/' |
  xargs -r grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]\(linux\|asm\)/kvm')

while IFS=: read -r file line _; do
  violation "$file:$line: ioctl outside vmm/kvm/"
done < <(sources base devices dump vmm | grep -v '^vmm/kvm/' |
  xargs -r grep -HnE '(\bioctl[[:space:]]*\(|<sys/ioctl\.h>|\bSYS_ioctl\b)')

exit $failed
