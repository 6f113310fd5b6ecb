"""Makes waves of the code objects in a library wait for nobody: drop_barriers.py LIBRARY. Each s_barrier becomes an s_nop."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import code_objects

path = pathlib.Path(sys.argv[1])
library = bytearray(path.read_bytes())
barriers = {0xBF8A0000, 0xBFBD0000}  # of CDNA, and of RDNA 3
nop = struct.pack("<I", 0xBF800000)
dropped = 0
for code in code_objects.code_objects_in(bytes(library)):
    begin = library.index(code)
    for at in range(begin, begin + len(code) - 3, 4):
        if struct.unpack_from("<I", library, at)[0] in barriers:
            library[at : at + 4] = nop
            dropped += 1
assert dropped, "there is no barrier to drop"
path.write_bytes(library)
