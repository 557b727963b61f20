// The SDK puts "workflows-" before HealthOmics' host; only AWS's name servers know such names, loopback's do not.
"use strict";
const dns = require("node:dns");

const lookup = dns.lookup;
dns.lookup = (host, ...others) => lookup(host.replace(/^workflows-/, ""), ...others);
