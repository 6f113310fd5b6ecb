// The functions of OpenCL 1.2 that the runtime uses, taken from the system's driver when a model first needs them.
//
// Declared here after the OpenCL specification, so that neither its headers nor its library are needed to build or to
// load a model.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mlc::rt::cl {

using Int = int32_t;
using Uint = uint32_t;
using Bits = uint64_t;
using Object = void *; ///< platform, device, context, queue, program, kernel, memory

enum : Int {
  success = 0,
  deviceNotFound = -1,
  outOfDeviceMemory = -4,
  outOfResources = -5,
  outOfHostMemory = -6,
  buildFailed = -11
};
constexpr Bits typeGpu = 1 << 2, typeAccelerator = 1 << 3, typeAll = 0xFFFFFFFF;
constexpr Bits memoryReadWrite = 1 << 0;
/// What clGetKernelWorkGroupInfo, clGetKernelInfo and clGetKernelArgInfo are asked for, and what the last answers.
constexpr Uint kernelGroupSize = 0x11B0, kernelCompiledGroup = 0x11B1, kernelLocalBytes = 0x11B2,
               kernelArgumentCount = 0x1191, argumentSpace = 0x1196, spaceGlobal = 0x119B, spacePrivate = 0x119E;
constexpr Uint deviceName = 0x102B, deviceMemoryBytes = 0x101F, deviceMostBytes = 0x1010, deviceLocalBytes = 0x1023,
               deviceGroupSize = 0x1004, programLog = 0x1183;

/// What a device does with floats of 32 bits.
constexpr Uint deviceFloats = 0x101B;
constexpr Bits roundsQuotients = 1 << 7; ///< correctly, if it is asked to
constexpr Uint queueContext = 0x1090, queueDevice = 0x1091, queueProperties = 0x1093;
constexpr Bits isOutOfOrder = 1 << 0; ///< of a queue's properties

struct Driver {
  Int (*getPlatformIDs)(Uint, Object *, Uint *);
  Int (*getDeviceIDs)(Object, Bits, Uint, Object *, Uint *);
  Int (*getDeviceInfo)(Object, Uint, size_t, void *, size_t *);
  Object (*createContext)(const intptr_t *, Uint, const Object *, void *, void *, Int *);
  Int (*retainContext)(Object);
  Int (*releaseContext)(Object);
  Object (*createCommandQueue)(Object, Object, Bits, Int *);
  Int (*getCommandQueueInfo)(Object, Uint, size_t, void *, size_t *);
  Int (*releaseCommandQueue)(Object);
  Object (*createProgramWithSource)(Object, Uint, const char **, const size_t *, Int *);
  Int (*buildProgram)(Object, Uint, const Object *, const char *, void *, void *);
  Int (*getProgramBuildInfo)(Object, Object, Uint, size_t, void *, size_t *);
  Int (*releaseProgram)(Object);
  Object (*createKernel)(Object, const char *, Int *);
  Int (*releaseKernel)(Object);
  Int (*getKernelInfo)(Object, Uint, size_t, void *, size_t *);
  Int (*getKernelWorkGroupInfo)(Object, Object, Uint, size_t, void *, size_t *);
  Int (*getKernelArgInfo)(Object, Uint, Uint, size_t, void *, size_t *);
  Int (*setKernelArg)(Object, Uint, size_t, const void *);
  Int (*enqueueNDRangeKernel)(Object, Object, Uint, const size_t *, const size_t *, const size_t *, Uint,
                              const Object *, Object *);
  Object (*createBuffer)(Object, Bits, size_t, void *, Int *);
  Int (*releaseMemObject)(Object);
  Int (*enqueueReadBuffer)(Object, Object, Uint, size_t, size_t, void *, Uint, const Object *, Object *);
  Int (*enqueueWriteBuffer)(Object, Object, Uint, size_t, size_t, const void *, Uint, const Object *, Object *);
  Int (*flush)(Object);
  Int (*finish)(Object);
};

/// The driver, looked for once; null if there is none, or one that lacks a function. Then `missing` says what.
const Driver *driver(const char *&missing);

} // namespace mlc::rt::cl
