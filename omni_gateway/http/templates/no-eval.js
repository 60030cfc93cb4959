// Before Scalar: its schema library would try whether the page's policy allows `Function`, which the browser reports.
globalThis.__zod_globalConfig = { jitless: true };
