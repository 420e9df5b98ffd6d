#pragma once

#include <squall/web/routing/rule.h>

#include <vector>

#include "blog.h"

namespace blog {

// The routes of a blog (DEM-52). Borrows `blog` as long as they are used.
std::vector<squall::web::Rule> routes(Blog& blog);

}  // namespace blog
