// A Node function as a process of its own, as python_function.py is: node node_function.cjs FILE EXPORT
"use strict";
const childProcess = require("node:child_process");
const https = require("node:https");
const Module = require("node:module");
const readline = require("node:readline");
const { MACHINE, PORT, TMPDIR } = process.env;

require("./loopback_names.cjs");
// The handlers answer at the port of https, whatever the URL says.
const request = https.request;
https.request = (options, ...others) => request(options.port ? options : { ...options, port: PORT }, ...others);
// AwsCustomResource installs the SDK into /tmp, which is the function's own at AWS, but not here.
const execSync = childProcess.execSync;
// npm gets the machine's own environment, by which it reaches its registry.
childProcess.execSync = (command) =>
  execSync(command.replaceAll("/tmp", TMPDIR), { stdio: "ignore", env: JSON.parse(MACHINE) });
const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...others) => resolve(name.replace(/^\/tmp\/node_modules\//, `${TMPDIR}/node_modules/`), ...others);

console.log = () => {}; // they log whole events
const handler = require(process.argv[2])[process.argv[3]];

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const end = Date.now() + 900_000;
    const returned = await handler(JSON.parse(line), {
      functionName: "provider",
      logStreamName: "log",
      getRemainingTimeInMillis: () => end - Date.now(),
    });
    process.stdout.write(JSON.stringify(returned ?? null) + "\n");
  }
})();
