#pragma once

// Headers of nearly every test of http.

#include "standard.h"

#include <squall/http.h>
#include <support/catch.h>
