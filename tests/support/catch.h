#pragma once

// Catch2, version 2 (Debian 12) or 3 (newer systems): only this header handles the difference.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define SQUALL_CATCH 3
#else
#include <catch2/catch.hpp>
#define SQUALL_CATCH 2
#endif
