#pragma once

// What nearly every test of http includes.

#include "standard.h"

#include <squall/http.h>
#include <support/catch.h>
