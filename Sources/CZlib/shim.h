// What Swift cannot import of zlib: the macros that pass its version and the size of z_stream along.
#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H
#define ZLIB_CONST
#include <zlib.h>

static inline int sluice_zlib_inflate_init(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}

static inline int sluice_zlib_deflate_init(z_stream *stream, int level, int windowBits, int memoryLevel) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memoryLevel, Z_DEFAULT_STRATEGY);
}
#endif
