#pragma once

// What nearly every test of iostream includes.

#include "standard.h"

#include <squall/iostream.h>
#include <support/catch.h>
