#include "opencl/Driver.h"
#include <dlfcn.h>

namespace mlc::rt::cl {

const Driver *driver(const char *&missing) {
  static Driver table;
  static const Driver *found = nullptr;
  missing = "libOpenCL.so.1";
  if (found)
    return found;
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return nullptr;
  const struct {
    const char *name;
    void *place;
  } functions[] = {
      {"clGetPlatformIDs", &table.getPlatformIDs},
      {"clGetDeviceIDs", &table.getDeviceIDs},
      {"clGetDeviceInfo", &table.getDeviceInfo},
      {"clCreateContext", &table.createContext},
      {"clReleaseContext", &table.releaseContext},
      {"clCreateCommandQueue", &table.createCommandQueue},
      {"clReleaseCommandQueue", &table.releaseCommandQueue},
      {"clCreateProgramWithSource", &table.createProgramWithSource},
      {"clBuildProgram", &table.buildProgram},
      {"clGetProgramBuildInfo", &table.getProgramBuildInfo},
      {"clReleaseProgram", &table.releaseProgram},
      {"clCreateKernel", &table.createKernel},
      {"clReleaseKernel", &table.releaseKernel},
      {"clGetKernelInfo", &table.getKernelInfo},
      {"clGetKernelWorkGroupInfo", &table.getKernelWorkGroupInfo},
      {"clGetKernelArgInfo", &table.getKernelArgInfo},
      {"clSetKernelArg", &table.setKernelArg},
      {"clEnqueueNDRangeKernel", &table.enqueueNDRangeKernel},
      {"clCreateBuffer", &table.createBuffer},
      {"clReleaseMemObject", &table.releaseMemObject},
      {"clEnqueueReadBuffer", &table.enqueueReadBuffer},
      {"clEnqueueWriteBuffer", &table.enqueueWriteBuffer},
      {"clFinish", &table.finish},
  };
  for (const auto &function : functions) {
    void *address = dlsym(library, function.name);
    if (!address) {
      missing = function.name;
      return nullptr;
    }
    *static_cast<void **>(function.place) = address;
  }
  return found = &table;
}

} // namespace mlc::rt::cl
