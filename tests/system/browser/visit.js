// Has Chromium visit pages, one after the other, as one person with one set of cookies and passwords:
//   echo '{"visits": ["https://app.example.com/"], "hosts": {"app.example.com": "127.0.0.1:8443"}, "login": ...}' | node visit.js
// Answers with a list of what each visit came to: {"status", "text", "requests": [{"url", "status"}, ...]}.
const { chromium } = require(process.env.PLAYWRIGHT);

async function visit(page, url) {
  const requests = [];
  const seen = (response) => requests.push({ url: response.url(), status: response.status() });
  page.on("response", seen);
  try {
    const response = await page.goto(url, { timeout: 20000 });
    return { status: response.status(), text: await page.innerText("body"), requests };
  } catch (error) {
    return { status: 0, text: String(error), requests };
  } finally {
    page.off("response", seen);
  }
}

async function main(wanted) {
  const rules = Object.entries(wanted.hosts).map(([host, address]) => `MAP ${host} ${address}`).join(",");
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", `--host-resolver-rules=${rules}`],
  });
  try {
    const login = wanted.login && { username: wanted.login[0], password: wanted.login[1] };
    const context = await browser.newContext({ ignoreHTTPSErrors: true, httpCredentials: login || undefined });
    const page = await context.newPage();
    const outcomes = [];
    for (const url of wanted.visits) outcomes.push(await visit(page, url));
    process.stdout.write(JSON.stringify(outcomes));
  } finally {
    await browser.close();
  }
}

main(JSON.parse(require("fs").readFileSync(0, "utf8")));
