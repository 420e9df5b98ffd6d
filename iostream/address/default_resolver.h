#pragma once

#include <squall/iostream/address/resolver.h>

namespace squall {

// Makes default_resolver() return `resolver`, for all loops of the process (UTL-01); null: the
// ThreadedResolver that it returns without a call of this function. Returns the argument of the last call,
// null at first, with which a caller can restore it. A client that has asked default_resolver() before keeps
// the former resolver.
//
// Thread:    any. Threads with loops call look_up() of `resolver`, possibly at the same time.
// Lifetime:  `resolver` is borrowed until no client and no task uses it.
Resolver* set_default_resolver(Resolver* resolver) noexcept;

}  // namespace squall
