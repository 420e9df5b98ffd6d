#pragma once

// A client for Redis: all of redis/ that a program uses.

#include <squall/iostream.h>
#include <squall/redis/client.h>
