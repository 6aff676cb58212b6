// Command web-go serves HTTP and HTTPS, or fetches an address.
//
//	web-go                 serves on ports 80 and 443, with a certificate that it makes for itself
//	web-go get URL...      prints what each address answers
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

// certificate makes a key and a certificate that it signs itself, good for a year.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "web-go"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Hello from Go over %s, TLS %t\n", r.Proto, r.TLS != nil)
}

func serve() error {
	pair, err := certificate()
	if err != nil {
		return err
	}
	http.HandleFunc("/", hello)
	plain, err := net.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	secure, err := tls.Listen("tcp", ":443", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return err
	}
	fmt.Println("web-go: ready")
	ended := make(chan error)
	for _, listener := range []net.Listener{plain, secure} {
		go func() { ended <- http.Serve(listener, nil) }()
	}
	return <-ended
}

func get(addresses []string) error {
	for _, address := range addresses {
		response, err := http.Get(address)
		if err != nil {
			return err
		}
		_, err = io.Copy(os.Stdout, response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", address, response.Status)
		}
	}
	return nil
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("web-go: ")
	var err error
	if len(os.Args) > 2 && os.Args[1] == "get" {
		err = get(os.Args[2:])
	} else {
		err = serve()
	}
	if err != nil {
		log.Fatal(err)
	}
}
