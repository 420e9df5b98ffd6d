#pragma once

// Facts about names and addresses that differ between systems. The build selects a source for each function.
namespace squall::detail {

// Whether a Unix socket may have a name that is not a path: on Linux.
bool has_abstract_names() noexcept;

// Whether an error of getaddrinfo() means that the name has no address, so that another try has the same
// result. glibc and others have errors besides EAI_NONAME of POSIX.
bool is_definite_answer(int error) noexcept;

}  // namespace squall::detail
