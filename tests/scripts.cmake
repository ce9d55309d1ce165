# Tests that are scripts: command line, cases, faults, lints. One ctest entry per file or folder.
set(script_environment
  "IMAGER=$<TARGET_FILE:exhibit-imager>" "ANALYZER=$<TARGET_FILE:exhibit-analyzer>" "TOP=${PROJECT_SOURCE_DIR}")

if(EXHIBIT_SANITIZE)
  list(APPEND script_environment "SANITIZED=1")
endif()
if(EXHIBIT_SANITIZE MATCHES address)
  # Whole stacks, so that the suppression can name libtsk's function.
  list(APPEND script_environment "ASAN_OPTIONS=fast_unwind_on_malloc=0"
    "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp:print_suppressions=0")
endif()

# script_test(NAME LABEL TIMEOUT COMMAND...)
function(script_test name label timeout)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    ENVIRONMENT "${script_environment}")
endfunction()

foreach(name stdin trace acquire-file acquire-same-bytes acquire-segments acquire-device acquire-bad-sectors acquire-output acquire-second sidecars
    bad-input usage progress timeline-fls shared-images hashes run-case demo export sign odd-sources output-dies unclean huge-disk flip tamper stock-tools)
  script_test(cli.${name} cli 600 ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh)
endforeach()
# They wait for slow disks, and for each other's processors.
foreach(name resume resume-faults hang rescue)
  script_test(cli.${name} cli 900 ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh)
endforeach()
script_test(cli.selftest cli 900 ${CMAKE_CURRENT_SOURCE_DIR}/cli/selftest.sh)
# Many minutes.
script_test(cli.resume-many slow 3600 ${CMAKE_CURRENT_SOURCE_DIR}/cli/resume-many.sh)
script_test(cli.huge-whole slow 7200 ${CMAKE_CURRENT_SOURCE_DIR}/cli/huge-whole.sh)
# These use loop devices or time-critical faults; side by side they would wait for each other.
set_tests_properties(cli.trace cli.acquire-device cli.acquire-bad-sectors cli.sidecars cli.export cli.demo cli.selftest cli.odd-sources cli.output-dies cli.unclean cli.huge-disk cli.flip cli.tamper cli.stock-tools
  cli.hang cli.rescue cli.resume-many PROPERTIES RESOURCE_LOCK loop)
if(EXHIBIT_SANITIZE)
  # The demo builds for itself; it says nothing about this build. The others mostly wait, and run code that resume-faults,
  # rescue and the unit suites run, too.
  set_tests_properties(cli.demo cli.resume cli.hang cli.unclean PROPERTIES DISABLED TRUE)
endif()
if(EXHIBIT_SANITIZE MATCHES address)
  # libewf 20140813 loses memory (56 bytes) when there is no space for the table of a segment. The program is confined
  # when leaks are looked for, so that it can't read a list of those to pass over.
  set_tests_properties(cli.output-dies PROPERTIES ENVIRONMENT "${script_environment};ASAN_OPTIONS=detect_leaks=0")
endif()

foreach(name clean-system hacked-wordpress deleted-names two-partitions hostile-names)
  script_test(case.${name} case 120 ${CMAKE_CURRENT_SOURCE_DIR}/cases/run.sh ${name})
endforeach()

if(NOT EXHIBIT_SANITIZE) # a sanitizer's runtime must be the first library: no preloading
  add_library(fail_nth SHARED fault/fail_nth.c)
  target_link_libraries(fail_nth PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(fail_nth PROPERTIES C_VISIBILITY_PRESET default)
  list(APPEND script_environment "SHIM=$<TARGET_FILE:fail_nth>")
  set_tests_properties(cli.sign PROPERTIES ENVIRONMENT "${script_environment}")
  foreach(name nth-call lying-disk)
    script_test(fault.${name} fault 600 ${CMAKE_CURRENT_SOURCE_DIR}/fault/${name}.sh)
  endforeach()
  # Sanitizers need calls that the sandbox is there to deny.
  add_executable(attacks fault/attacks.c fault/attacks_operations.c)
  target_link_libraries(attacks PRIVATE exhibit::compile common)
  list(APPEND script_environment "ATTACKS=$<TARGET_FILE:attacks>")
  script_test(fault.attacks fault 300 ${CMAKE_CURRENT_SOURCE_DIR}/fault/attacks.sh)
  set_tests_properties(fault.attacks PROPERTIES RESOURCE_LOCK loop)
endif()

foreach(name layers libraries threads banned spdx length symbols usage docs places format shell tidy)
  script_test(lint.${name} lint 1800 ${CMAKE_CURRENT_SOURCE_DIR}/lint/run.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} ${name})
endforeach()
script_test(lint.selftest lint 300 ${CMAKE_CURRENT_SOURCE_DIR}/lint/selftest.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
