// Ask the real parser and checker of Flux about queries: a JSON array of texts comes in, and for each goes out what
// the language server finds wrong with it, and the strings that the parser reads in it.
const { Lsp, parse } = require(process.argv[2]);

const uri = "file:///query.flux";
const found = [];

function send(server, method, params, id) {
  return server.send(JSON.stringify({ jsonrpc: "2.0", method, params, ...(id && { id }) }));
}

function heard(message) {
  const { method, params } = JSON.parse(message);
  if (method === "textDocument/publishDiagnostics") found.push(...params.diagnostics.map((one) => one.message));
}

function strings(node) {
  if (node === null || typeof node !== "object") return [];
  if (node.type === "StringLiteral") return [node.value];
  return Object.values(node).flatMap(strings);
}

async function main() {
  const server = new Lsp();
  server.onMessage(heard);
  server.run();
  await send(server, "initialize", { capabilities: {} }, 1);
  await send(server, "initialized", {});
  const answers = [];
  for (const text of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
    found.length = 0;
    await send(server, "textDocument/didOpen", { textDocument: { uri, languageId: "flux", version: 1, text } });
    await new Promise(setImmediate);
    const wrong = [...found];
    await send(server, "textDocument/didClose", { textDocument: { uri } });
    await new Promise(setImmediate);
    answers.push({ wrong, strings: strings(parse(text)) });
  }
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}

main();
