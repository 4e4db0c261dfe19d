"""Java as it was long ago: its TLS client with SSLv2's hello, TLS 1.0 and nothing newer. And as it is now: the HTTP and
WebSocket clients of its library."""
import subprocess

# What a program of those days asks for. It trusts anyone: the certificate is not what is tried here.
_CLIENT = """
import java.io.InputStream;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.*;

public class OldClient {
  public static void main(String[] words) throws Exception {
    TrustManager anyone = new X509ExtendedTrustManager() {
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
      public void checkClientTrusted(X509Certificate[] chain, String type) {}
      public void checkServerTrusted(X509Certificate[] chain, String type) {}
      public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
      public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
      public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
      public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
    };
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {anyone}, new SecureRandom());
    int port = Integer.parseInt(words[0]);
    try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
      socket.setSoTimeout(10000);
      socket.setEnabledProtocols(words[1].split(","));
      socket.startHandshake();
      System.out.println("protocol=" + socket.getSession().getProtocol());
      System.out.println("cipher=" + socket.getSession().getCipherSuite());
      socket.getOutputStream().write("GET / HTTP/1.0\\r\\n\\r\\n".getBytes());
      InputStream answer = socket.getInputStream();
      System.out.write(answer.readAllBytes());
      System.out.flush();
    }
  }
}
"""

# It asks for HTTP/2 wherever it can, and takes what it gets.
_NEW_CLIENT = """
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.concurrent.*;
import javax.net.ssl.*;

public class NewClient {
  static HttpClient client;

  public static void main(String[] words) throws Exception {
    TrustManager anyone = new X509TrustManager() {
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
      public void checkClientTrusted(X509Certificate[] chain, String type) {}
      public void checkServerTrusted(X509Certificate[] chain, String type) {}
    };
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {anyone}, new SecureRandom());
    client = HttpClient.newBuilder().sslContext(context).build();
    if (words[0].equals("talk")) talk(URI.create(words[1])); else fetch(URI.create(words[1]));
    System.exit(0);
  }

  static void fetch(URI uri) throws Exception {
    byte[] large = new byte[3000000];
    send(HttpRequest.newBuilder(uri).GET());
    send(HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString("hello")));
    send(HttpRequest.newBuilder(uri).POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large))));
    send(HttpRequest.newBuilder(uri).PUT(BodyPublishers.ofByteArray(large)).expectContinue(true));
    send(HttpRequest.newBuilder(uri).DELETE());
  }

  static void send(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.version() + " " + answer.statusCode());
    System.out.println(answer.body());
  }

  static void talk(URI uri) throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    WebSocket socket = client.newWebSocketBuilder().buildAsync(uri, new WebSocket.Listener() {
      int size = 0;
      public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
        size += text.length();
        if (last) { heard.add("text " + size); size = 0; }
        from.request(1);
        return null;
      }
      public CompletionStage<?> onPong(WebSocket from, ByteBuffer message) {
        heard.add("pong " + message.remaining());
        from.request(1);
        return null;
      }
      public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
        heard.add("closed " + status);
        return null;
      }
    }).get();
    socket.sendText("hello", true).get();
    System.out.println(heard.take());
    socket.sendText("x".repeat(100000), false).get();
    socket.sendText("y".repeat(100000), true).get();
    System.out.println(heard.take());
    socket.sendPing(ByteBuffer.wrap(new byte[4])).get();
    System.out.println(heard.take());
    socket.sendClose(1000, "").get();
    System.out.println(heard.take());
  }
}
"""


class Java:
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self._source = folder / "OldClient.java"
        self._source.write_text(_CLIENT)
        self._security = folder / "old.security"
        self._security.write_text("jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\n"
                                  "jdk.tls.legacyAlgorithms=\n")

        self._new_source = folder / "NewClient.java"
        self._new_source.write_text(_NEW_CLIENT)

    def fetch(self, url):
        """Several requests one after the other; each answer is a line with version and status, and then its body."""
        return self._run_new("fetch", url)

    def talk(self, url):
        """Messages, a ping and a close by WebSocket; what is heard, line by line."""
        return self._run_new("talk", url)

    def _run_new(self, *words):
        return subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                               "-Djdk.internal.httpclient.disableHostnameVerification=true", str(self._new_source),
                               *words], capture_output=True, text=True, timeout=40)

    def get(self, port, *protocols):
        """GET / with these protocols, as ("SSLv2Hello", "TLSv1")."""
        return subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                               f"-Djava.security.properties={self._security}", str(self._source), str(port),
                               ",".join(protocols)], capture_output=True, text=True, timeout=40)
