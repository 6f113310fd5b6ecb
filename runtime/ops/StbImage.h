// stb_image as a part of a compiled model: from memory only, without state of its own. A file names the formats that it
// decodes (STBI_ONLY_...) before it includes this.
#pragma once

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_SIMD
#define STBI_NO_FAILURE_STRINGS
#define STBI_NO_THREAD_LOCALS
#define STBI_ASSERT(condition)
#include <stb/stb_image.h>
