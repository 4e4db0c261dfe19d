"""Java as it was long ago: its TLS client with SSLv2's hello, TLS 1.0 and nothing newer."""
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


class Java:
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self._source = folder / "OldClient.java"
        self._source.write_text(_CLIENT)
        self._security = folder / "old.security"
        self._security.write_text("jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\n"
                                  "jdk.tls.legacyAlgorithms=\n")

    def get(self, port, *protocols):
        """GET / with these protocols, as ("SSLv2Hello", "TLSv1")."""
        return subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                               f"-Djava.security.properties={self._security}", str(self._source), str(port),
                               ",".join(protocols)], capture_output=True, text=True, timeout=40)
