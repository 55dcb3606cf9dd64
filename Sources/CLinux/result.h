// What every call of this target gives back: not less than 0, or the error as a negative number.

#pragma once

#include <errno.h>

#define RESULT(expression)                                                                                             \
    do {                                                                                                               \
        int result_ = (expression);                                                                                    \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)
