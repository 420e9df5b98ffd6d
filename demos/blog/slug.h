#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace blog {

inline constexpr std::size_t kMaxSlug = 100;  // bytes

// The name of an entry in its URL (DEM-56): `Crème brûlée, 2nd try` becomes `creme-brulee-2nd-try`.
//
// The title, which is UTF-8, is decomposed (NFKD), and its letters are folded to lower case: `ß` becomes
// `ss`, `ﬁ` becomes `fi`. Accents are dropped. Characters other than letters, digits and `_` separate words.
// Letters that are not ASCII by then are dropped. A title of which nothing is left becomes `entry`.
std::string slug_of(std::string_view title);

}  // namespace blog
