#pragma once

// The sanitizer of this build, from the macros of GCC and clang.
#ifdef __has_feature
#define SQUALL_HAS_FEATURE(feature) __has_feature(feature)
#else
#define SQUALL_HAS_FEATURE(feature) 0
#endif

namespace squall {

#if defined(__SANITIZE_ADDRESS__) || SQUALL_HAS_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || SQUALL_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace squall

#undef SQUALL_HAS_FEATURE
