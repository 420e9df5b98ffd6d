#pragma once

// Headers of nearly every test of web.

#include "standard.h"

#include <squall/testing.h>
#include <squall/web.h>
#include <support/catch.h>
