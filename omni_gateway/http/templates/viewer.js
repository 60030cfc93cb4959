// In a file of its own, for the page's policy allows no inline script. What would load from, or send to, another host is
// off: fonts, telemetry, the agent, MCP, the hosted client. A credential is not stored: it ends with the page.
const reference = document.getElementById("reference");
Scalar.createApiReference(reference, {
  url: reference.dataset.document,
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  persistAuth: false,
  authentication: { preferredSecurityScheme: "bearer" },
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  documentDownloadType: "none", // the bar above has the links
  hideModels: true, // each operation shows its own; hundreds more in the sidebar cost a second
  operationTitleSource: "summary",
  generateTagSlug: (tag) => tag.name, // `http/pages.py` links to these
  generateOperationSlug: (operation) => operation.operationId ?? `${operation.method}${operation.path}`,
});
