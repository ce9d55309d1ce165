# exhibit::compile carries everything that all our targets are compiled and linked with. Link it PRIVATE.
add_library(exhibit_compile INTERFACE)
add_library(exhibit::compile ALIAS exhibit_compile)

target_compile_options(exhibit_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wno-gnu-statement-expression -Wshadow -Wconversion -Wno-sign-conversion -Wcast-qual -Wvla -Wformat=2
  -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings
  -Wimplicit-fallthrough -Wundef
  -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(exhibit_compile INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_link_options(exhibit_compile INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
target_link_libraries(exhibit_compile INTERFACE Threads::Threads)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Statement expressions (vec.h, cleanup.h) are a GNU extension that gcc only reports under -Wpedantic.
  target_compile_options(exhibit_compile INTERFACE -Wno-pedantic)
endif()
if(EXHIBIT_WERROR)
  target_compile_options(exhibit_compile INTERFACE -Werror)
endif()
if(EXHIBIT_SANITIZE)
  target_compile_options(exhibit_compile INTERFACE -fsanitize=${EXHIBIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(exhibit_compile INTERFACE -fsanitize=${EXHIBIT_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(exhibit_compile INTERFACE -D_FORTIFY_SOURCE=2)
endif()

# A static library of ours: its headers lie beside the sources, are included as "folder/module.h", and each must
# compile alone (target all_verify_interface_header_sets).
#   exhibit_library(NAME SOURCES a.c ... HEADERS a.h ...)
function(exhibit_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR} FILES ${ARG_HEADERS})
  target_link_libraries(${name} PRIVATE exhibit::compile)
endfunction()
