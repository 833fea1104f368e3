// In place of Windows's header of this name: what platform_trust.hpp uses of it, declared as Microsoft's documentation says.
// The test defines the functions.
#pragma once

#include <cstdint>

using BOOL = int;
using BYTE = unsigned char;
using DWORD = std::uint32_t; // unsigned long has as many bits there
using HRESULT = std::int32_t;
using LPSTR = char*;
using LPCWSTR = const wchar_t*;
using ULONG_PTR = std::uintptr_t;

DWORD GetLastError();
