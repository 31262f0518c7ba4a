// The names of a kernel's functions and variables, from any source: the kallsyms tables in its own memory (kallsyms.h),
// or a System.map or the symbol table of a vmlinux (symbol_list.h).
#ifndef DUMP_KERNEL_KERNEL_SYMBOLS_H_
#define DUMP_KERNEL_KERNEL_SYMBOLS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

struct Symbol {
  uint64_t address = 0;  // virtual, KASLR applied; for a per-CPU variable its offset, as `nm` prints it
  char type = '?';       // as `nm` prints it
  std::string name;

  friend bool operator==(const Symbol&, const Symbol&) = default;
};

// The symbol that contains an address.
struct SymbolAt {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;  // up to the next symbol; 0: no symbol follows

  friend bool operator==(const SymbolAt&, const SymbolAt&) = default;
};

// Immutable: any thread may call.
class KernelSymbols {
 public:
  virtual ~KernelSymbols() = default;

  // For people: "kallsyms in the guest's memory", "System.map /boot/...".
  virtual std::string Source() const = 0;
  virtual size_t size() const = 0;

  // Calls `visit` for each symbol, in ascending order of address, until it returns false.
  virtual void ForEach(const std::function<bool(const Symbol&)>& visit) const = 0;

  // The addresses of all symbols of that name, ascending. Static functions may share a name.
  virtual std::vector<uint64_t> FindAll(std::string_view name) const = 0;

  // The lowest address that FindAll() returns.
  std::optional<uint64_t> Find(std::string_view name) const {
    const std::vector<uint64_t> all = FindAll(name);
    return all.empty() ? std::nullopt : std::optional<uint64_t>(all.front());
  }

  // The last symbol at or before `address`. If several share one address, the first of them, which the kernel's own
  // backtraces name too. None for an address outside the image.
  virtual std::optional<SymbolAt> At(uint64_t address) const = 0;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_SYMBOLS_H_
