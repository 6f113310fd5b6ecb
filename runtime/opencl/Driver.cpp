#include "opencl/Driver.h"
#include "device/Library.h"

namespace mlc::rt::cl {

const Driver *driver(const char *&missing) {
  static Driver table;
  static const Driver *found = nullptr;
  if (found)
    return found;
  const LibraryFunction functions[] = {
      {"clGetPlatformIDs", &table.getPlatformIDs},
      {"clGetDeviceIDs", &table.getDeviceIDs},
      {"clGetDeviceInfo", &table.getDeviceInfo},
      {"clCreateContext", &table.createContext},
      {"clRetainContext", &table.retainContext},
      {"clReleaseContext", &table.releaseContext},
      {"clCreateCommandQueue", &table.createCommandQueue},
      {"clGetCommandQueueInfo", &table.getCommandQueueInfo},
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
      {"clFlush", &table.flush},
      {"clFinish", &table.finish},
  };
  if (openLibrary("libOpenCL.so.1", functions, missing))
    found = &table;
  return found;
}

} // namespace mlc::rt::cl
