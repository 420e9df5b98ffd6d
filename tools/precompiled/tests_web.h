#pragma once

// What nearly every test of web includes.

#include "standard.h"

#include <squall/testing.h>
#include <squall/web.h>
#include <support/catch.h>
