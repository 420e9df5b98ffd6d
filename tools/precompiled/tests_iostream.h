#pragma once

// Headers of nearly every test of iostream.

#include "standard.h"

#include <squall/iostream.h>
#include <support/catch.h>
