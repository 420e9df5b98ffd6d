#pragma once

#include <squall/ioloop/loop/child_reaper.h>

#include <string_view>
#include <vector>

// The system calls that the library was built for, as the variable `platform` in ioloop/meson.build.
namespace squall::testing {

inline constexpr std::string_view kPlatform = SQUALL_TEST_PLATFORM;  // linux, darwin or posix

inline constexpr bool kHasPidfd = kPlatform != "posix";
inline constexpr bool kHasAffinity = kPlatform == "linux";
inline constexpr bool kHasListenOptions = kPlatform == "linux";  // TCP_DEFER_ACCEPT, TCP_FASTOPEN
inline constexpr bool kHasSendfile = kPlatform != "posix";
inline constexpr bool kKnowsUnacknowledged = kPlatform != "posix";  // unacknowledged_bytes()
inline constexpr bool kHasSplice = kPlatform == "linux";
inline constexpr bool kHasProgramImage = kPlatform == "linux";

// The ways in which a loop may learn of the end of a child.
inline std::vector<ChildExit> ways_to_watch() {
  return kHasPidfd ? std::vector{ChildExit::pidfd, ChildExit::sigchld} : std::vector{ChildExit::sigchld};
}

}  // namespace squall::testing
