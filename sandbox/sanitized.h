// True if this is a build with a sanitizer. A sanitizer makes system calls of its own, and more of them to report what
// it found, so no filter of system calls is put in place there.
#ifndef SANDBOX_SANITIZED_H_
#define SANDBOX_SANITIZED_H_

namespace vmm {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VMM_SANITIZED 1  // Clang
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(VMM_SANITIZED)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace vmm

#endif  // SANDBOX_SANITIZED_H_
